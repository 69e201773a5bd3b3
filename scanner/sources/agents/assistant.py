"""Every AI assistant that is looked for, and where it keeps what.

To add one: an entry in :data:`ASSISTANTS`. A place is below the home directory, or below the
project that is scanned; what an assistant logs in with belongs where it is, and is left out.
"""

from __future__ import annotations

from stanch.scanner.model.record import Record

TRANSCRIPT = "transcript"
CONFIGURATION = "configuration"


class Assistant(Record):
    """Its name, and its places as patterns of :mod:`glob`; a folder stands for all that is in it.

    ``folder`` is the first part of its places, which ``moved`` (a variable of the environment)
    puts elsewhere.
    """

    name: str
    transcripts: tuple[str, ...] = ()
    configurations: tuple[str, ...] = ()
    project: tuple[str, ...] = ()  # configurations and transcripts in a project
    logins: tuple[str, ...] = ()  # names of files that hold its own login
    folder: str = ""
    moved: str = ""


#: Where editors of one family keep what they and their extensions know.
_EDITORS = (
    *(
        f"{base}/{name}/User"
        for name in ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")
        for base in (".config", "Library/Application Support")
    ),
    ".vscode-server/data/User",
    ".cursor-server/data/User",
    ".windsurf-server/data/User",
)


def _editors(*inside: str, of: str = "") -> tuple[str, ...]:
    return tuple(f"{each}/{name}" for each in _EDITORS if of in each for name in inside)


_STATE = (
    "globalStorage/state.vscdb*",
    "workspaceStorage/*/state.vscdb*",
)
_MCP = ("mcp.json", "settings.json", "profiles/*/mcp.json")

ASSISTANTS = (
    Assistant(
        name="Claude Code",
        transcripts=(
            ".claude/projects", ".claude/history.jsonl", ".claude/todos", ".claude/file-history",
            ".claude/shell-snapshots", ".claude/paste-cache", ".claude/debug", ".claude/plans",
        ),
        configurations=(".claude.json*", ".claude/settings*.json", ".claude/backups"),
        project=(".mcp.json", ".claude/settings*.json"),
        logins=(".credentials.json",),
        folder=".claude",
        moved="CLAUDE_CONFIG_DIR",
    ),
    Assistant(
        name="Claude Desktop",
        transcripts=(".config/Claude/logs", "Library/Logs/Claude"),
        configurations=tuple(
            f"{base}/Claude/{name}"
            for base in (".config", "Library/Application Support")
            for name in ("claude_desktop_config.json", "Claude Extensions Settings")
        ),
    ),
    Assistant(
        name="Codex",
        transcripts=(
            ".codex/sessions", ".codex/archived_sessions", ".codex/history.jsonl", ".codex/log",
            ".codex/shell_snapshots",
        ),
        configurations=(".codex/config.toml",),
        project=(".codex/config.toml",),
        logins=("auth.json",),
        folder=".codex",
        moved="CODEX_HOME",
    ),
    Assistant(
        name="Gemini CLI",
        transcripts=(".gemini/tmp",),
        configurations=(".gemini/settings.json", ".gemini/.env", ".gemini/extensions/*/*.json"),
        project=(".gemini/settings.json", ".gemini/.env"),
        logins=("oauth_creds.json", "mcp-oauth-tokens.json"),
    ),
    Assistant(
        name="Cursor",
        transcripts=(
            ".cursor/projects", ".cursor/chats", *_editors(*_STATE, of="ursor"),
        ),
        configurations=(".cursor/mcp.json", ".cursor/cli-config.json",
                        *_editors(*_MCP, of="ursor")),
        project=(".cursor/mcp.json", ".cursor/cli.json"),
    ),
    Assistant(
        name="GitHub Copilot and VS Code",
        transcripts=(
            ".copilot/session-state", ".copilot/history-session-state", ".copilot/logs",
            ".copilot/command-history-state.json",
            *_editors(*_STATE, of="Code"), *_editors(*_STATE, of="VSCodium"),
            *_editors(*_STATE, of=".vscode-server"),
            *_editors("workspaceStorage/*/chatSessions", "workspaceStorage/*/GitHub.copilot-chat",
                      "globalStorage/emptyWindowChatSessions", "globalStorage/github.copilot-chat"),
        ),
        configurations=(
            ".copilot/mcp-config.json", ".copilot/config.json", ".vscode/mcp.json",
            *_editors(*_MCP, of="Code"), *_editors(*_MCP, of="VSCodium"),
            *_editors(*_MCP, of=".vscode-server"),
        ),
        project=(".vscode/mcp.json",),
    ),
    Assistant(
        name="Windsurf",
        transcripts=(
            ".windsurf/transcripts", ".codeium/windsurf/memories",
            *_editors(*_STATE, of="indsurf"),
        ),
        configurations=(
            ".codeium/windsurf/mcp_config.json", ".codeium/mcp_config.json",
            *_editors(*_MCP, of="indsurf"),
        ),
    ),
    Assistant(
        name="Cline and Roo Code",
        transcripts=(
            ".cline/data/sessions", ".cline/data/tasks",
            *_editors("globalStorage/saoudrizwan.claude-dev/tasks",
                      "globalStorage/rooveterinaryinc.roo-cline/tasks"),
        ),
        configurations=_editors(
            "globalStorage/saoudrizwan.claude-dev/settings",
            "globalStorage/rooveterinaryinc.roo-cline/settings",
        ),
        project=(".roo/mcp.json",),
    ),
    Assistant(
        name="Aider",
        transcripts=(".aider.chat.history.md", ".aider.input.history", ".aider.llm.history"),
        configurations=(".aider.conf.yml",),
        project=(".aider.chat.history.md", ".aider.input.history", ".aider.llm.history",
                 ".aider.conf.yml"),
    ),
    Assistant(
        name="OpenCode",
        transcripts=(
            ".local/share/opencode/storage", ".local/share/opencode/log",
            ".local/share/opencode/opencode*.db*",
        ),
        configurations=(".config/opencode/opencode.json*", ".config/opencode/config.json"),
        project=("opencode.json*", ".opencode/opencode.json*"),
        logins=("auth.json",),
    ),
    Assistant(
        name="Continue",
        transcripts=(".continue/sessions", ".continue/dev_data", ".continue/logs"),
        configurations=(".continue/config.*", ".continue/.env", ".continue/mcpServers"),
        project=(".continue/config.*", ".continue/.env", ".continue/mcpServers"),
    ),
    Assistant(
        name="Zed",
        transcripts=(
            ".local/share/zed/threads", ".local/share/zed/conversations",
            "Library/Application Support/Zed/threads",
        ),
        configurations=(".config/zed/settings.json",),
        project=(".zed/settings.json",),
    ),
    Assistant(
        name="Goose",
        transcripts=(
            ".local/share/goose/sessions", ".local/state/goose/logs", ".config/goose/history.txt",
            "Library/Application Support/Block/goose/sessions",
        ),
        configurations=(".config/goose/config.yaml",),
        logins=("secrets.yaml",),
    ),
    Assistant(
        name="Amazon Q and Kiro",
        transcripts=tuple(
            f"{base}/{name}/data.sqlite3*"
            for base in (".local/share", "Library/Application Support")
            for name in ("amazon-q", "kiro-cli")
        ),
        configurations=(".aws/amazonq/mcp.json", ".kiro/settings"),
        project=(".amazonq/mcp.json", ".kiro/settings"),
    ),
)  # fmt: skip

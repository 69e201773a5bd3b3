"""Keys with which web frameworks sign sessions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match

Scan = Callable[..., list[Match]]


def shown(scan: Scan, template: str, path: str) -> list[Match]:
    found = scan(generate(template, 5), path)
    return [each for each in found if each.finding.confidence is not Confidence.LOW]


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("config/secrets.yml", "production:{lf}  secret_key_base: {hex:128}{lf}"),
        ("config/initializers/secret_token.rb", "App.config.secret_token = '{hex:128}'{lf}"),
        ("config/initializers/devise.rb", "  config.pepper = '{hex:128}'{lf}"),
        ("config/master.key", "{hex:32}"),
        ("config/credentials/staging.key", "{hex:32}{lf}"),
        ("config/prod.exs", 'secret_key_base: "{base64:64}"{lf}'),
        (".env", "SECRET_KEY_BASE={hex:128}{lf}"),
        ("wp-config.php", "define( 'DB_PASSWORD', '{password}' );{lf}"),
        (
            "wp-config.php",
            "define('SECURE_AUTH_KEY',  '{base64:20} <#{base64:20}${base64:20}');{lf}",
        ),
        ("sites/default/settings.php", "$settings['hash_salt'] = '{base64url:74}';{lf}"),
        (
            "config/app.php",
            "'Security' => [{lf}    'salt' => env('SECURITY_SALT', '{hex:64}'),{lf}",
        ),
        ("settings.py", "SECURITY_PASSWORD_SALT = '{digits:38}'{lf}"),
        ("settings.py", "SECRET_KEY = '{base62:50}'{lf}"),
        ("config/web.php", "'cookieValidationKey' => '{base64url:32}',{lf}"),
        ("secrets/api_key", "{base62:40}{lf}"),
        ("secrets/db_password.txt", "{password}{lf}"),
    ],
)
def test_the_key_is_found(scan: Scan, path: str, template: str) -> None:
    assert len(shown(scan, template, path)) == 1


@pytest.mark.parametrize(
    ("path", "template"),
    [
        (
            "config/secrets.yml",
            'production:{lf}  secret_key_base: <%= ENV["SECRET_KEY_BASE"] %>{lf}',
        ),
        (
            "config/secrets.yml",
            "production:{lf}  x: 1{lf}test:{lf}  secret_key_base: {hex:128}{lf}",
        ),
        ("spec/dummy/config/secrets.yml", "production:{lf}  secret_key_base: {hex:128}{lf}"),
        ("wp-config-sample.php", "define( 'AUTH_KEY', 'put your unique phrase here' );{lf}"),
        (
            "settings.php",
            "$settings['hash_salt'] = file_get_contents('/run/secrets/hash_salt');{lf}",
        ),
        ("config/master.key", "not a key"),
        ("COMMIT", "{hex:40}{lf}"),
        ("secrets/db_password.txt", "{{ db_password }}"),
        ("src/token", "tokenize_sources_here{lf}"),
    ],
)
def test_what_is_none_or_signs_nothing_in_use_is_not_shown(
    scan: Scan, path: str, template: str
) -> None:
    assert shown(scan, template, path) == []

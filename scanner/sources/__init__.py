"""Where bytes come from; every source yields Fragments and Gaps."""

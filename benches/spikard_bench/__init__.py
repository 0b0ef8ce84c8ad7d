"""The bench harness: who is measured (`server`), on what (`case`), how (`round`), and what is written (`report`, `chart`)."""

"""The sandbox is judged too: by its own tests, and by the vendor's unmodified SDK."""

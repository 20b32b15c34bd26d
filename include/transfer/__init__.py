"""The move: ranged download, safe unzip, integrity; ``archive`` tells the story."""

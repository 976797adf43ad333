"""What the pages are drawn with: words, colours, the clickable scan, and what a session remembers."""

"""The journal: raw messages on the disk before anybody reads them."""

"""The frozen nouns that cross a wall between rooms."""

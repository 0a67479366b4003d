"""Rule packs: schema, checks, and which statement holds for a release."""

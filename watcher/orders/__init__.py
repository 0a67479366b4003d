"""An order of work that a person wrote: a steps file, or plain words, made ready for the proof."""

"""Pure mathematics: orientation, mounting, neck angles. Values in, values out."""

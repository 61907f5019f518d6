"""Display: how numbers, the user's own words and small tables are written, wherever they are shown."""

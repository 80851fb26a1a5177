"""Where prices come from: data sets, their files, and the columns that they are kept in."""

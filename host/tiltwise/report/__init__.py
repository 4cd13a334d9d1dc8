"""Episodes, angles and minutes in, exposure figures and plots out; only the plots draw."""

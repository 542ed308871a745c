"""The formats that texts come in, one module each: each turns its format into HTML, which is sanitised afterwards."""

"""The workbook: you write the functions of a paper, and the tests of the paper judge them."""

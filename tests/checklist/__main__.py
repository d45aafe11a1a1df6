"""`python -m tests.checklist`: writes the page anew."""

from tests.checklist.page import PAGE, written

if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")

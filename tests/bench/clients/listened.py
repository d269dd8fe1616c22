"""`classify_many` with a listener that does nothing."""

from functools import partial

from measuring import main
from ours import classify

if __name__ == "__main__":
    main(partial(classify, on_event=lambda _: None))

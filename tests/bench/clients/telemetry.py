"""`classify_many` with `llamaclassify.otel`, in a program that has set up no OpenTelemetry."""

from functools import partial

from measuring import main
from ours import classify

from llamaclassify.otel import Telemetry

if __name__ == "__main__":
    main(partial(classify, on_event=Telemetry()))

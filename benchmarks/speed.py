"""Speed against peers, both sides alternating in one run.

    python benchmarks/speed.py windows       the window pipeline against keras.utils.timeseries_dataset_from_array
    python benchmarks/speed.py buckets       an IMDB epoch with and without batches by length

Figures go to docs/benchmarks/. No test depends on them: machines are noisy.
"""

import argparse

import buckets_speed
import windows_speed

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["windows", "buckets"])
    {"windows": windows_speed.main, "buckets": buckets_speed.main}[parser.parse_args().which]()

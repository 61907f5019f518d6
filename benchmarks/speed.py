"""Speed against peers, both sides alternating in one run.

    python benchmarks/speed.py windows       the window pipeline against keras.utils.timeseries_dataset_from_array

Figures go to docs/benchmarks/. No test depends on them: machines are noisy.
"""

import argparse

import windows_speed

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["windows"])
    {"windows": windows_speed.main}[parser.parse_args().which]()

"""Speed against peers, both sides alternating in one run.

    python benchmarks/speed.py windows       the window pipeline against keras.utils.timeseries_dataset_from_array
    python benchmarks/speed.py buckets       an IMDB epoch with and without batches bucketed by length
    python benchmarks/speed.py text          an IMDB epoch of an LSTM against the recipe of Keras's example
    python benchmarks/speed.py layers        the recurrent layers against stock Keras and PyTorch
    python benchmarks/speed.py growth        how the cost of an LSTM layer grows with length, units and batch
    python benchmarks/speed.py inference     one window through an exported network, against ONNX Runtime and PyTorch
    python benchmarks/speed.py streams       one more observation: a step of a stream against the window read anew
    python benchmarks/speed.py serving       recurra serve against a handler with model.predict and LitServe
    python benchmarks/speed.py forecasting   a forecasting job against Keras's recipe, neuralforecast and darts
    python benchmarks/speed.py series        many short series, from a file to scores, against statsforecast
    python benchmarks/speed.py larger        series larger than memory: peak and seconds, in streams and in memory
    python benchmarks/speed.py estimators    the scikit-learn estimators against the bare Keras loop and keras.wrappers
    python benchmarks/speed.py compile       trainings on 150 rows with XLA and without
    python benchmarks/speed.py jobs          --jobs 2 against --jobs 1, for make demo and for 60 trainings

Figures go to docs/benchmarks/. No test depends on the figures: machines are noisy.
"""

import argparse

import buckets_speed
import compile_speed
import estimators_speed
import forecasting_speed
import inference_speed
import jobs_speed
import larger_memory
import layers_speed
import series_speed
import serving_speed
import streams_speed
import text_speed
import windows_speed

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "which",
        choices=[
            "windows",
            "buckets",
            "text",
            "layers",
            "growth",
            "inference",
            "streams",
            "serving",
            "forecasting",
            "estimators",
            "series",
            "larger",
            "compile",
            "jobs",
        ],
    )
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has PyTorch (layers, growth, inference)")
    parser.add_argument("--small", action="store_true", help="a quick try that writes nothing (estimators, jobs)")
    arguments = parser.parse_args()
    {
        "windows": windows_speed.main,
        "compile": compile_speed.main,
        "buckets": buckets_speed.main,
        "text": text_speed.main,
        "layers": lambda: layers_speed.layers(arguments.torch),
        "forecasting": forecasting_speed.main,
        "estimators": lambda: estimators_speed.main(small=arguments.small),
        "series": series_speed.main,
        "larger": larger_memory.main,
        "jobs": lambda: jobs_speed.main(small=arguments.small),
        "streams": streams_speed.main,
        "serving": serving_speed.main,
        "inference": lambda: inference_speed.main(arguments.torch),
        "growth": lambda: layers_speed.growth(arguments.torch),
    }[arguments.which]()

"""Many clients for a long time: every answer is the right one, and memory stays where it is.

Set RECURRA_SOAK_SECONDS to 600 for ten minutes.
"""

import http.client
import json
import os
import threading
import time
import urllib.parse
from pathlib import Path

import pytest

CLIENTS = 64
SECONDS = float(os.environ.get("RECURRA_SOAK_SECONDS", "45"))


def resident_megabytes(server):
    [line] = [
        li for li in Path(f"/proc/{server.process.pid}/status").read_text().splitlines() if li.startswith("VmRSS")
    ]
    return int(line.split()[1]) / 1024


@pytest.mark.slow
@pytest.mark.parametrize("batch", ["1", "64"])
def test_memory_is_flat_and_no_answer_is_lost_or_mixed(serving_desk, model_folder, batch):
    with serving_desk.serving(model_folder, "--max-batch-size", batch) as server:
        wrong, count, end = [], [0] * CLIENTS, time.monotonic() + SECONDS
        address = urllib.parse.urlsplit(server.rest)

        def ask(number):
            client = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
            while time.monotonic() < end:
                x = float(number * 1_000_000 + count[number])
                client.request("POST", "/v1/models/half_plus_two:predict", json.dumps({"instances": [[x]]}))
                answer = client.getresponse()
                if (
                    answer.status != 200
                    or abs(json.loads(answer.read())["predictions"][0][0] - (x / 2 + 2)) > x * 1e-6 + 1e-6
                ):
                    wrong.append(x)
                count[number] += 1
            client.close()

        clients = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(SECONDS / 3)
        before = resident_megabytes(server)
        for client in clients:
            client.join()
        after = resident_megabytes(server)
        assert wrong == []
        assert min(count) > 0
        assert after < before * 1.05 + 10, f"{before:.0f} MB became {after:.0f} MB over {sum(count):,} requests"
        print(f"{sum(count):,} requests, {before:.0f} to {after:.0f} MB")

"""Requests that share a call: only where rows are independent, and nobody gets another's answer."""

import asyncio
import threading

import numpy as np
import pytest

from recurra.serving.batching import BatchingOptions, Runner
from recurra.serving.metrics import Metrics
from recurra.serving.served_model import ServedModel
from recurra.serving.status import ServingError


@pytest.fixture(scope="module")
def several(model_folder):
    model = ServedModel(model_folder / "several" / "7", "several", 7)
    yield model
    model.close()


class Counting:
    """A model whose calls are counted, by rows, and can be held up."""

    def __init__(self, model):
        self.model, self.calls, self.gate = model, [], threading.Event()
        self.gate.set()
        self.name, self.version, self.signatures = model.name, model.version, model.signatures
        self.changes_state = model.changes_state

    def call(self, signature, inputs, outputs=None, timeout=None):
        self.gate.wait(30)
        self.calls.append(len(next(iter(inputs.values()))) if inputs else 0)
        return self.model.call(signature, inputs, outputs, timeout)


def runner(**options):
    return Runner(Metrics(), BatchingOptions(**{"max_batch_size": 16, **options}))


async def ask(running, model, signature, *values, name="x"):
    """One request for each value, all at once; errors are answers too."""
    calls = [
        running.run(model, model.signatures[signature], {name: np.atleast_1d(np.float32(value))}) for value in values
    ]
    return await asyncio.gather(*calls, return_exceptions=True)


def test_requests_share_calls_once_rows_are_seen_to_be_independent(several):
    model, running = Counting(several), runner(batch_timeout=0.02)

    async def main():
        first = await ask(running, model, "positive", 1, 4, 9)
        await asyncio.sleep(0.1)
        before = len(model.calls)
        second = await ask(running, model, "positive", *[i * i for i in range(12)])
        return first, second, model.calls[:before], model.calls[before:]

    first, second, before, after = asyncio.run(main())
    assert [float(found["root"][0]) for found in first] == [1, 2, 3]
    assert [float(found["root"][0]) for found in second] == list(range(12))
    assert before == [1, 1, 1, 3]  # each alone, then together for the proof
    assert after == [12]


def test_equal_rows_prove_nothing(several):
    model, running = Counting(several), runner(batch_timeout=0.02)
    found = asyncio.run(ask(running, model, "centred", 5, 5, 5))
    assert [float(f["y"][0]) for f in found] == [0, 0, 0]
    assert model.calls == [1, 1, 1]


@pytest.mark.parametrize(("signature", "output"), [("centred", "y"), ("total", "total")])
def test_rows_that_mix_and_outputs_without_a_batch_axis_are_never_batched(several, signature, output):
    model, running = Counting(several), runner(batch_timeout=0.02)

    async def main():
        for _ in range(3):
            found = await ask(running, model, signature, 1, 2, 3)
            await asyncio.sleep(0.05)
            yield [np.ravel(f[output])[0] for f in found]

    async def answers():
        return [found async for found in main()]

    expected = [0, 0, 0] if signature == "centred" else [1, 2, 3]
    assert asyncio.run(answers()) == [expected] * 3
    assert max(model.calls[4:]) == 1


def test_a_model_with_variables_that_change_is_called_once_a_request(several):
    assert several.changes_state(several.signatures["count"])
    assert not several.changes_state(several.signatures["positive"])
    assert not several.changes_state(several.signatures["serving_default"])


def test_a_failing_row_is_retried_alone(several):
    model, running = Counting(several), runner(batch_timeout=0.02)

    async def main():
        await ask(running, model, "positive", 1, 4)
        await asyncio.sleep(0.1)
        return await ask(running, model, "positive", 1, -1, 9)

    good, bad, other = asyncio.run(main())
    assert (float(good["root"][0]), float(other["root"][0])) == (1, 3)
    assert isinstance(bad, ServingError)
    assert "must be positive" in bad.message


def test_a_client_that_leaves_breaks_nobodys_batch(several):
    model, running = Counting(several), runner(batch_timeout=0.05)

    async def main():
        await ask(running, model, "positive", 1, 4)
        await asyncio.sleep(0.1)
        leaving = asyncio.create_task(ask(running, model, "positive", 16))
        staying = asyncio.create_task(ask(running, model, "positive", 25, 36))
        await asyncio.sleep(0.01)
        leaving.cancel()
        return await staying

    assert [float(found["root"][0]) for found in asyncio.run(main())] == [5, 6]
    assert model.calls[-1] == 2


def test_shapes_are_never_padded_and_each_has_a_queue_of_its_own(several):
    model, running = Counting(several), runner(batch_timeout=0.02)

    async def one(width):
        found = await running.run(model, model.signatures["texts"], {"text": np.full((1, width), b"a", object)})
        return found["upper"].shape

    async def main():
        return await asyncio.gather(*map(one, (2, 3, 2, 3)))

    assert asyncio.run(main()) == [(1, 2), (1, 3), (1, 2), (1, 3)]


def test_a_full_queue_is_refused_at_once_and_a_slow_call_ends_at_its_deadline(several):
    model, running = Counting(several), runner(max_batch_size=1, max_queue=2)
    model.gate.clear()

    async def main():
        waiting = [asyncio.create_task(ask(running, model, "positive", 4)) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(ServingError, match="queue to which this task was submitted is full") as caught:
            await running.run(model, model.signatures["positive"], {"x": np.float32([1])})
        model.gate.set()
        answers = await asyncio.gather(*waiting)
        model.gate.clear()
        with pytest.raises(ServingError, match="Timed out"):
            await running.run(model, model.signatures["positive"], {"x": np.float32([1])}, timeout=0.05)
        model.gate.set()
        return caught.value, answers

    error, answers = asyncio.run(main())
    assert (error.code.name, error.http_status) == ("UNAVAILABLE", 503)
    assert [float(found["root"][0]) for [found] in answers] == [2, 2]


def test_waiting_is_cut_short_by_the_goal_and_never_refuses(several):
    model = Counting(several)
    patient = runner(batch_timeout=60.0, latency_goal=0.0)
    found = asyncio.run(asyncio.wait_for(ask(patient, model, "positive", 4, 9), 30))
    assert [float(f["root"][0]) for f in found] == [2, 3]


def test_batches_over_http_and_grpc_together(serving_desk, model_folder):
    """Many clients, two protocols, every answer checked: none lost, none mixed."""
    arguments = ("--max-batch-size", "16", "--batch-timeout-micros", "2000")
    with serving_desk.serving(model_folder, *arguments) as server:
        wrong = []

        def ask_rest(number):
            for i in range(15):
                x = number * 100 + i
                if server.predict("half_plus_two", {"instances": [float(x)]}) != (200, {"predictions": [x / 2 + 2]}):
                    wrong.append(x)

        def ask_grpc(number):
            for i in range(15):
                x = number * 100 + i
                y = server.grpc_predict("half_plus_two", {"x": np.float32([x])}).outputs["y"].float_val
                if list(y) != [x / 2 + 2]:
                    wrong.append(x)

        clients = [threading.Thread(target=(ask_rest, ask_grpc)[n % 2], args=(n,)) for n in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert wrong == []
        page = server.ask("/monitoring/prometheus/metrics")[2]
        [total] = [line for line in page.splitlines() if line.startswith("recurra_batch_rows_sum{")]
        [calls] = [line for line in page.splitlines() if line.startswith("recurra_batch_rows_count{")]
        assert float(calls.split()[-1]) < float(total.split()[-1])

"""The contract of all tasks: whatever is registered can be ranked, told, drawn and asked for on the command line."""

from dataclasses import fields
from typing import Annotated, get_args, get_origin, get_type_hints

import pytest

from recurra.command_options import TASK_SETTINGS
from recurra.frames.targets import TASK_OF_ROLE
from recurra.models import FAMILIES, list_families
from recurra.reports.plots import PLOTS
from recurra.tasks import TASKS, list_baselines

every_task = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
# What a row has beside the metrics: which model it is of, and what it costs.
ROW_KEYS = {
    *("model", "kind", "fold", "seed", "trials", "config_number", "config", "chosen", "notes", "validation_loss"),
    *("by_step", "parameters", "macs", "train_seconds", "predict_ms", "epochs", "best_epoch", "stopped_by"),
    "learning_rate",
}


def hints_of(task):
    return get_type_hints(task, include_extras=True)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_registered_under_its_name(name):
    task = TASKS[name]
    assert task.name == name
    assert task() == task()  # its settings all have defaults, and are values
    assert all(task.output_kind in family.plans for family in FAMILIES.values())
    assert list_families(task.output_kind)
    assert task.role is None or TASK_OF_ROLE[task.role] == name


# Metrics


@every_task
def test_metrics_have_names_of_their_own(task):
    names = [metric.name for metric in task.metrics]
    columns = [*names, *(f"{metric.name}_sd" for metric in task.metrics if metric.with_spread)]
    assert len(set(columns)) == len(columns)
    assert not ROW_KEYS & set(columns)
    for key in ("title", "heading"):
        words = [getattr(metric, key) for metric in task.metrics if getattr(metric, key)]
        assert len(set(words)) == len(words), key


@every_task
def test_models_are_judged_by_the_first_metric(task):
    main = task.wording.metric
    assert main in task.metrics
    assert main is task.metrics[0]
    assert not main.higher_is_better
    assert main.shown
    assert main.with_spread


@every_task
def test_the_words_of_metrics_and_verdict_are_complete(task):
    for metric in task.metrics:
        assert metric.in_words() in {f"a {metric.title}", f"an {metric.title}"}
        assert float(format(0.25, metric.decimals)) == 0.25
        assert metric.heading.count("\n") <= 1
    assert task.wording.metric.caption
    assert all((task.wording.unit_of_work, task.wording.more_data, task.cost_unit, task.sample_unit))


@every_task
def test_the_trivial_baselines_are_baselines_of_the_task(task):
    known = list_baselines(task.name)
    assert len(set(known)) == len(known)
    assert task.wording.trivial
    assert set(task.wording.trivial) <= set(known)
    assert known[0] in task.wording.trivial  # the simplest comes first


# Plots


@every_task
def test_plots_of_a_task_exist(task):
    assert task.plots
    assert len(set(task.plots)) == len(task.plots)
    assert set(task.plots) <= set(PLOTS)


def test_every_plot_is_drawn_for_some_task():
    drawn = {plot for task in TASKS.values() for plot in task.plots}
    assert drawn | {"error_against_cost"} == set(PLOTS)  # that one is drawn for all of them
    assert len({plot.file for plot in PLOTS.values()}) == len(PLOTS)


# Settings


@every_task
def test_every_setting_has_a_help_text(task):
    hints = hints_of(task)
    assert fields(task)
    for field in fields(task):
        assert get_origin(hints[field.name]) is Annotated, field.name
        _, *texts = get_args(hints[field.name])
        assert [type(text) for text in texts] == [str], field.name
        assert texts[0].endswith("."), field.name


@every_task
def test_a_setting_that_several_tasks_have_is_of_one_type(task):
    """The command line knows a setting by its name, whatever the task."""
    hints = hints_of(task)
    for field in fields(task):
        others = [hints_of(other) for other in TASKS.values() if field.name in {f.name for f in fields(other)}]
        assert {get_args(other[field.name])[0] for other in others} == {get_args(hints[field.name])[0]}, field.name


def test_every_setting_is_an_option_and_no_other_is():
    assert set(TASK_SETTINGS) == {field.name for task in TASKS.values() for field in fields(task)}

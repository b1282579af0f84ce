"""How long things take on a GPU, between events of its stream."""

import statistics

import torch


def once(run):
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3


def seconds(call):
    """The median time of a call, replayed from a graph of some calls; a measurement takes about half a second."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
        stream.synchronize()
        guess = max(once(call), 1e-6)
    calls = max(1, min(20, round(4e-3 / guess)))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            call()
    graph.replay()
    replays = max(5, min(30, round(0.3 / (guess * calls))))
    return statistics.median(once(graph.replay) / calls for _ in range(replays))

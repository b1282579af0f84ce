"""Reference values of examples/calculus by numpy, scipy and torch, in f64.

Writes calculus_reference.json beside itself: /usr/bin/python3 tests/examples/calculus_reference.py
"""

import json
import math
import pathlib

import numpy as np
import scipy.linalg
import scipy.optimize
import scipy.special
import torch

torch.set_default_dtype(torch.float64)


def spread(count, stream):
    """Numbers in [-1/2, 1/2) without a pattern that matters; exact, so that any language makes the same ones."""
    i = np.arange(count, dtype=np.int64)
    return ((i * 7919 + stream * 104729 + (i * i) % 65537) % 65537) / 65537 - 0.5


def himmelblau():
    def run(start):
        at = torch.tensor(start, requires_grad=True)
        optimizer = torch.optim.Adam([at], lr=0.05)
        places, values = [], []
        for _ in range(500):
            x, y = at
            value = (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2
            optimizer.zero_grad()
            value.backward()
            places.append(at.tolist())
            values.append(value.item())
            optimizer.step()
        return {"start": start, "places": places[::50], "values": values[::50], "end": at.tolist()}

    return [run(start) for start in ([0.0, 0.0], [-1.0, 0.0], [-4.0, -2.0], [4.0, -1.0])]


def gmm_inputs(n, d, k):
    alphas = spread(k, 1)
    means = spread(k * d, 2).reshape(k, d) * 2
    icf = spread(k * d * (d + 1) // 2, 3).reshape(k, -1)
    x = spread(n * d, 4).reshape(n, d) * 4
    return alphas, means, icf, x


def gmm_log_posterior(alphas, means, icf, x, gamma, m):
    """ADBench's objective, written as its reference implementation writes it: clusters one by one."""
    n, d = x.shape
    k = alphas.shape[0]
    terms = []
    prior = 0.0
    freedom = d + m + 1
    for c in range(k):
        log_diagonal = icf[c, :d]
        q = torch.diag(torch.exp(log_diagonal))
        at = d
        columns = []
        for j in range(d):
            below = icf[c, at : at + d - j - 1]
            at += d - j - 1
            columns.append(torch.cat([torch.zeros(j + 1), below]))
        q = q + torch.stack(columns, 1)
        y = (x - means[c]) @ q.T
        terms.append(alphas[c] + log_diagonal.sum() - 0.5 * (y * y).sum(1))
        prior = prior + 0.5 * gamma**2 * (q * q).sum() - m * log_diagonal.sum()
    constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2)) - scipy.special.multigammaln(0.5 * freedom, d)
    prior = prior - k * constant
    likelihood = torch.logsumexp(torch.stack(terms, 1), 1).sum() - n * torch.logsumexp(alphas, 0)
    return likelihood - n * d * 0.5 * math.log(2 * math.pi) + prior


def gmm(n, d, k, every):
    """The value, and every so manieth element of the gradient and its length, for the file to be short."""
    alphas, means, icf, x = (torch.from_numpy(np.array(a)) for a in gmm_inputs(n, d, k))
    for parameter in (alphas, means, icf):
        parameter.requires_grad_(True)
    value = gmm_log_posterior(alphas, means, icf, x, 1.25, 2)
    value.backward()
    gradients = {}
    for name, parameter in (("alphas", alphas), ("means", means), ("icf", icf)):
        flat = parameter.grad.flatten()
        gradients[name] = {"elements": flat[::every].tolist(), "length": flat.norm().item()}
    return {"n": n, "d": d, "k": k, "gamma": 1.25, "m": 2, "every": every, "value": value.item(), "gradients": gradients}


def kmeans():
    """Lloyd's iteration to its end."""
    points = spread(240, 5).reshape(80, 3) + np.repeat([[0, 0, 0], [2, 0, 1], [0, 2, -1], [2, 2, 2]], 20, axis=0)
    centres = points[[3, 25, 47, 61]].copy()
    start = centres.copy()
    while True:
        squares = ((points[:, None] - centres[None]) ** 2).sum(2)
        own = squares.argmin(1)
        moved = np.array([points[own == c].mean(0) for c in range(4)])
        if np.allclose(moved, centres, rtol=0, atol=0):
            break
        centres = moved
    squares = ((points[:, None] - start[None]) ** 2).sum(2)
    own = squares.argmin(1)
    return {
        "points": points.flatten().tolist(),
        "start": start.flatten().tolist(),
        "cost": squares.min(1).sum(),
        "gradient": [2 * (start[c] - points[own == c]).sum(0).tolist()[j] for c in range(4) for j in range(3)],
        "counts": [int((own == c).sum()) for c in range(4)],
        "end": centres.flatten().tolist(),
    }


def least_squares():
    x = spread(60, 6).reshape(12, 5)
    y = spread(12, 7)
    return {"x": x.flatten().tolist(), "y": y.tolist(), "w": scipy.linalg.lstsq(x, y)[0].tolist()}


def log_sum_exp():
    def of(x):
        x = np.array(x)
        return {"x": x.tolist(), "value": scipy.special.logsumexp(x).item(), "gradient": scipy.special.softmax(x).tolist()}

    return [of(spread(7, 8) * 6), of([1000.0, 1001.0, 999.0]), of([-1000.0, -1001.0, -1002.5])]


def determinant():
    a = spread(16, 9).reshape(4, 4) + np.eye(4)
    value = np.linalg.det(a)
    return {"a": a.flatten().tolist(), "value": value.item(), "gradient": (value * np.linalg.inv(a).T).flatten().tolist()}


def ode():
    """The damped oscillator in closed form; derivatives by complex steps, which are exact to rounding."""

    def position(x, v, stiffness, damping, span):
        omega = np.sqrt(stiffness - damping**2 / 4 + 0j)
        return np.exp(-damping * span / 2) * (
            x * np.cos(omega * span) + (v + damping * x / 2) / omega * np.sin(omega * span)
        )

    at = [1.0, -0.5, 4.0, 0.3, 3.0]
    step = 1e-30
    derivatives = [position(*[a + (step * 1j if i == j else 0) for j, a in enumerate(at)]).imag / step for i in range(5)]
    return {"at": at, "value": position(*at).real, "derivatives": [float(d) for d in derivatives]}


def argmin(f, gradient, x):
    """Gradient descent with the step rule of Pearlmutter and Siskind's benchmark."""
    fx, gx, eta, good = f(x), gradient(x), 1e-5, 0
    while True:
        following = x - eta * gx
        if np.linalg.norm(gx) <= 1e-5:
            return x
        if good == 10:
            eta, good = 2 * eta, 0
            continue
        if np.linalg.norm(x - following) <= 1e-5:
            return x
        value = f(following)
        if value < fx:
            x, fx, gx, good = following, value, gradient(following), good + 1
        else:
            eta, good = eta / 2, 0


def saddle():
    reply = lambda p: argmin(lambda q: q @ q - p @ p, lambda q: 2 * q, np.ones(2))
    value = lambda p: p @ p - reply(p) @ reply(p)
    p = argmin(value, lambda p: 2 * p, np.ones(2))
    return {"p": p.tolist(), "q": reply(p).tolist()}


def particle():
    """Where the particle lands, with the force in closed form; the root by Brent's method and its derivative by the implicit function."""

    def landing(w, speed):
        dt = 0.1
        x, v = np.array([0.0 + 0j, 8.0]), np.array([speed, 0.0 + 0j])
        while (x + dt * v)[1].real > 0:
            force = 0
            for charge in (np.array([10.0, 10.0 - w]), np.array([10.0, 0.0])):
                gap = x - charge
                force = force + gap / np.sqrt((gap * gap).sum()) ** 3
            x, v = x + dt * v, v + dt * force
        return x[0] - x[1] / v[1] * v[0]

    speed, step = 0.75, 1e-30
    w = scipy.optimize.brentq(lambda w: landing(w, speed).real, 0, 1, xtol=1e-15)
    by_w = landing(w + step * 1j, speed).imag / step
    by_speed = landing(w, speed + step * 1j).imag / step
    return {"speed": speed, "landing": landing(0.0, speed).real, "w": w, "sensitivity": float(-by_speed / by_w)}


def rotated(r, x):
    """Rodrigues' formula for complex arguments too."""
    squared = (r * r).sum()
    if squared == 0:
        return x + np.cross(r, x)
    angle = np.sqrt(squared)
    axis = r / angle
    return np.cos(angle) * x + np.sin(angle) * np.cross(axis, x) + (1 - np.cos(angle)) * (axis * x).sum() * axis


def jacobian(f, x):
    """By complex steps, which are exact to rounding."""
    step = 1e-30
    return np.stack([f(x + step * 1j * unit).imag / step for unit in np.eye(len(x))], -1)


def bundle_adjustment():
    """ADBench's residuals as functions of all parameters at once; the second camera is not turned."""
    n, m, p = 3, 4, 9
    cameras = spread(11 * n, 10).reshape(n, 11)
    cameras[:, 6] += 2
    cameras[1, :3] = 0
    points = spread(3 * m, 11).reshape(m, 3) + [0, 0, 4]
    weights = spread(p, 12) + 1
    features = spread(2 * p, 13).reshape(p, 2)
    pairs = np.array([[i % n, (i * i + i // 3) % m] for i in range(p)])

    def residuals(flat):
        c = flat[: 11 * n].reshape(n, 11)
        x = flat[11 * n : 11 * n + 3 * m].reshape(m, 3)
        w = flat[11 * n + 3 * m :]
        parts = []
        for i, (camera, point) in enumerate(pairs):
            r, centre, focal, principal, radial = np.split(c[camera], [3, 6, 7, 9])
            seen = rotated(r, x[point] - centre)
            u = seen[:2] / seen[2]
            squared = (u * u).sum()
            image = focal * (1 + radial[0] * squared + radial[1] * squared**2) * u + principal
            parts.append(w[i] * (image - features[i]))
        return np.concatenate([*parts, 1 - w**2])

    at = np.concatenate([cameras.flatten(), points.flatten(), weights])
    return {
        "sizes": [n, m, p],
        "cameras": cameras.flatten().tolist(),
        "points": points.flatten().tolist(),
        "weights": weights.tolist(),
        "features": features.flatten().tolist(),
        "pairs": pairs.flatten().tolist(),
        "residuals": residuals(at).tolist(),
        "jacobian": jacobian(residuals, at).flatten().tolist(),
    }


def hand():
    points = 2
    theta = spread(26, 14)
    bones = spread(45, 15).reshape(5, 3, 3)
    skin = spread(45 * points, 16).reshape(5, 3, points, 3)

    def about(axis, angle):
        c, s = np.cos(angle), np.sin(angle)
        i, j = [(1, 2), (2, 0), (0, 1)][axis]
        turn = np.eye(3, dtype=complex)
        turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
        return turn

    def pose(theta):
        placed = []
        for f in range(5):
            angles = theta[6 + 4 * f : 10 + 4 * f]
            turn, joint = about(2, angles[0]), np.zeros(3)
            for k in range(3):
                joint = joint + turn @ bones[f, k]
                turn = turn @ about(0, angles[1 + k])
                placed.extend(joint + turn @ x for x in skin[f, k])
        return np.concatenate([rotated(theta[:3], x) + theta[3:6] for x in placed])

    every = 11
    return {
        "points": points,
        "every": every,
        "places": pose(theta).real.tolist(),
        "jacobian": jacobian(pose, theta).flatten()[::every].tolist(),
    }


def main():
    reference = {
        "bundle_adjustment": bundle_adjustment(),
        "hand": hand(),
        "himmelblau": himmelblau(),
        "gmm": [gmm(40, 6, 4, 1), gmm(1000, 64, 25, 97)],
        "kmeans": kmeans(),
        "least_squares": least_squares(),
        "log_sum_exp": log_sum_exp(),
        "determinant": determinant(),
        "ode": ode(),
        "saddle": saddle(),
        "particle": particle(),
    }
    file = pathlib.Path(__file__).with_suffix(".json")
    file.write_text(json.dumps(reference) + "\n")


main()

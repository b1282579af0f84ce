// Host functions of the reference cases about theory.

import { type Method, type Session, Tensor } from 'tdsl';
import { interpret } from 'tdsl/compile';

interface Perceptron extends Session {
  readonly separable: Method<{ points: Tensor; labels: Tensor }, Tensor>;
}

/** How many labelings of the points of a set a perceptron in the plane can learn: those of 3 corners of the square, and of all 4. */
export async function theory_vc_perceptron_2d(): Promise<unknown> {
  // The perceptron's rule over the points again and again; whatever is separable here is found within 64 rounds.
  const session = await interpret<Perceptron>({
    text: `
export fn separable(points: f32[n, 2], labels: f32[n]) -> bool {
  let inputs = cat((ones([n, 1]), points), 1)
  let (w, wrong) = fold 0..64 from (zeros([3]), n) { (state, _) =>
    fold (inputs, labels) from (state[0], 0) { (learned, example) =>
      let (w, wrong) = learned
      let (x, t) = example
      let misses = t * dot(w, x) <= 0
      (w + where(misses, t * x, 0), wrong + cast(misses, i64))
    }
  }
  wrong == 0
}
`,
  });
  const corners = [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ];
  return [3, 4].map((count) => {
    const points = Tensor.from(corners.slice(0, count), { dtype: 'f32' });
    const labelings = Array.from({ length: 2 ** count }, (_, code) =>
      Tensor.from(
        corners.slice(0, count).map((_, i) => ((code >> i) & 1 ? 1 : -1)),
        { dtype: 'f32' },
      ),
    );
    return labelings.filter((labels) => session.separable({ points, labels }).item()).length;
  });
}

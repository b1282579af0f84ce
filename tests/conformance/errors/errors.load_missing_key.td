tdsl 1
# The program is right: what is wrong is the checkpoint that `errors.ts` loads into its state.
import std.nn { Linear }

export fn predict(net: Linear(2, 1), x: f32[2]) -> f32[1] = net(x)

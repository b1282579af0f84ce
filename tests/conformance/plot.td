tdsl 1
# Transcriptions of the reference cases about data for plots.

fn plot_loss_surface(w: f32[5]) -> f32[5, 5] {
  let (x, y) = meshgrid(w, w, indexing: "xy")
  (2 - x - y) ** 2 + (4 - 3 * x - y) ** 2
}

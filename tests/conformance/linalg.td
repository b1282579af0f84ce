tdsl 1

fn linalg_cholesky_reconstruct(x: f32[n, n]) -> f32[n, n] {
  let l = cholesky(x)
  l @ l.T
}

fn linalg_qr_reconstruct(x: f32[3, 2]) -> (f32[3, 2], f32[2, 2], f32[2, 2]) {
  let (q, r) = qr(x)
  (q @ r, q.T @ q, triu(abs(r)))
}

// Host functions of the reference cases about saving and loading.

import { DTYPES, decodeSafetensors, encodeSafetensors, Tensor } from 'tdsl';

const roundTrip = (tensors: Readonly<Record<string, Tensor>>) =>
  decodeSafetensors(encodeSafetensors({ tensors })).tensors;
const listed = (tensor: Tensor) => [`torch.${DTYPES[tensor.dtype].torch}`, tensor.toArray()];

export const save_load_roundtrip_list = () =>
  Object.values(roundTrip({ 0: Tensor.arange(4), 1: Tensor.zeros([4]) })).map(listed);

export const save_load_roundtrip_dict = () =>
  Object.fromEntries(
    Object.entries(roundTrip({ x: Tensor.arange(4), y: Tensor.zeros([4]) })).map(([name, tensor]) => [
      name,
      listed(tensor),
    ]),
  );

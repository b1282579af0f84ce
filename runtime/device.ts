// Tensors in the memory of a GPU. They belong to a session of a model that was compiled for CUDA; every such model takes them.

import type { DeviceMemory, NativeInstance } from './addon.js';
import type { DataOf, DType } from './dtype.js';
import { TdslError, throwingOurs } from './errors.js';
import type { Fit, Fitting, fit } from './fit.js';
import { allocate } from './memory.js';
import { elementCount, type Shape } from './shape.js';
import { Tensor } from './tensor.js';

/** Where a tensor may lie. */
const DEVICES = ['cpu', 'cuda'] as const;
export type Device = (typeof DEVICES)[number];

/** The device of a name, which a program without types may have got wrong. */
export function deviceOf(name: string): Device {
  const device = DEVICES.find((known) => known === name);
  if (device !== undefined) return device;
  throw new TdslError(
    'TDSL_ARG',
    `there is no device '${name}': to(device) takes 'cpu' or 'cuda'; the GPU is that of the session for one that was made last`,
  );
}

/** A tensor in the memory of a GPU. It is given back when nothing refers to it any more. */
export class DeviceTensor<D extends DType = DType> implements Fitting<D, Shape> {
  readonly device = 'cuda';
  /** Of the type alone. */
  declare readonly [fit]: Fit<D, Shape>;
  readonly #instance: NativeInstance;

  private constructor(
    instance: NativeInstance,
    readonly dtype: D,
    readonly shape: readonly number[],
    readonly memory: DeviceMemory,
  ) {
    this.#instance = instance;
  }

  /** Copies a tensor to the GPU of an instance. Throws TDSL_NO_DEVICE where the model runs on the CPU. */
  static place<D extends DType>(instance: NativeInstance, tensor: Tensor<D>): DeviceTensor<D> {
    const memory = throwingOurs(() => instance.place(tensor.data));
    return new DeviceTensor(instance, tensor.dtype, tensor.shape, memory);
  }

  /** A copy in the memory of the CPU; `cuda` gives the tensor itself. Waits for the GPU. */
  to(device: 'cpu'): Tensor<D>;
  to(device: 'cuda'): this;
  to(device: Device): Tensor<D> | this {
    if (deviceOf(device) === 'cuda') return this;
    const data = allocate(this.dtype, elementCount(this.shape));
    throwingOurs(() => this.#instance.fetch(this.memory, data));
    return new Tensor<D>(this.dtype, [...this.shape], data as DataOf<D>);
  }
}

/** The instance whose GPU `tensor.to('cuda')` means: that of the session for a GPU that was made last and is still there. */
let latest: WeakRef<NativeInstance> | undefined;

/** Makes the GPU of an instance the one that tensors go to. */
export function offerDevice(instance: NativeInstance): void {
  latest = new WeakRef(instance);
}

/** Copies a tensor to the GPU. Throws TDSL_NO_DEVICE where no session of a model for CUDA is open. */
export function toDevice<D extends DType>(tensor: Tensor<D>): DeviceTensor<D> {
  const instance = latest?.deref();
  if (instance === undefined) {
    throw new TdslError(
      'TDSL_NO_DEVICE',
      'there is no GPU to copy to: create a session of a model that was compiled with --target cuda first',
    );
  }
  return DeviceTensor.place(instance, tensor);
}

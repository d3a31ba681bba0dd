/* shim/cuda.hpp - what libtorch does not say about a GPU, or only through the CUDA toolkit's headers: its name and memory. */
#pragma once
#include <string>
#include <c10/core/Device.h>

namespace shim
{

/* "cuda:0 NVIDIA H200, GPU-5c8b...": its index, as CUDA_VISIBLE_DEVICES has it where that is a number; its name; its UUID (of a
 * MIG instance its own). What the driver does not say is left out. */
std::string gpu_text(const c10::Device &device);
/* The major number of its compute capability; 0: unknown. */
int gpu_capability(const c10::Device &device);
/* Bytes of the whole device, and those that no process holds. false: the driver does not say. */
bool gpu_memory(const c10::Device &device, size_t *available, size_t *total);
/* This process takes at most the n-th part of its memory. */
void gpu_share(const c10::Device &device, int n);
/* Blocks that libtorch keeps for later go back to the driver: for others on the device, and so that the next model does not find
 * memory in pieces. Nothing on a CPU. */
void gpu_give_back(const c10::Device &device);

} // namespace shim

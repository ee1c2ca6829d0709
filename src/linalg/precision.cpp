// SPDX-License-Identifier: MIT
#include "linalg/precision.hpp"

#include <utility>

#include "linalg/onednn.hpp"

namespace popflow::linalg {

const char* precision_name(Precision precision) {
    return precision == Precision::bf16 ? "bf16" : "fp32";
}

std::string instruction_set() {
    const std::pair<dnnl_cpu_isa_t, const char*> sets[] = {
        {dnnl_cpu_isa_avx512_core_amx, "avx512_core_amx"},
        {dnnl_cpu_isa_avx512_core_bf16, "avx512_core_bf16"},
        {dnnl_cpu_isa_avx512_core_vnni, "avx512_core_vnni"},
        {dnnl_cpu_isa_avx512_core, "avx512_core"},
        {dnnl_cpu_isa_avx2, "avx2"},
        {dnnl_cpu_isa_avx, "avx"},
        {dnnl_cpu_isa_sse41, "sse41"},
    };
    for (const auto& [set, name] : sets) {
        if (onednn::cpu_has(set)) return name;
    }
    return "unknown";
}

bool cpu_has_bf16() {
    return onednn::cpu_has(dnnl_cpu_isa_avx512_core_bf16);
}

}  // namespace popflow::linalg

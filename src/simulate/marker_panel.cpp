// SPDX-License-Identifier: MIT
#include "simulate/marker_panel.hpp"

#include <initializer_list>
#include <utility>

namespace popflow::simulate {

namespace {

using enum Program;
using Loadings = std::initializer_list<std::pair<Program, float>>;

Marker marker(const char* name, float base, float spread, float dropout, Loadings loadings) {
    Marker result{name, base, spread, dropout, {}};
    for (const auto& [program, loading] : loadings)
        result.loading[static_cast<std::size_t>(program)] = loading;
    return result;
}

std::vector<Marker> make_panel() {
    return {
        marker("pHH3", -1.2F, 0.5F, 0.10F, {{mitosis, 5.0F}}),
        marker("RFP", 0.6F, 0.5F, 0.10F, {}),
        marker("mCHERRY", 0.4F, 0.5F, 0.10F, {}),
        marker("Vimentin", 0.2F, 0.6F, 0.10F, {{fibroblast, 4.2F}, {tgf_beta, 0.5F}}),
        marker("EpCAM", 0.2F, 0.6F, 0.10F, {{organoid, 3.5F}, {apoptosis, -1.2F}, {wnt, 0.1F}}),
        marker("CK18", 0.3F, 0.6F, 0.12F,
               {{organoid, 3.1F}, {secretory, 0.5F}, {wnt, -0.3F}, {apoptosis, -0.8F}}),
        marker("Pan_CK", 0.3F, 0.6F, 0.10F, {{organoid, 3.4F}, {wnt, -0.2F}}),
        marker("GFP", 0.2F, 0.7F, 0.12F, {{fibroblast, 3.2F}}),
        marker("IdU", -0.9F, 0.6F, 0.10F, {{synthesis, 4.8F}, {checkpoint, 0.2F}}),
        marker("pPDK1", 2.4F, 0.5F, 0.12F, {{pi3k, 0.6F}, {cycling, 0.2F}}),
        marker("cCaspase_3", 0.5F, 0.6F, 0.10F, {{apoptosis, 3.5F}}),
        marker("Geminin", 0.8F, 0.5F, 0.12F, {{synthesis, 1.6F}, {gap2, 2.4F}, {mitosis, 1.8F}}),
        marker("pMEK1_2", 2.6F, 0.4F, 0.10F, {{mapk, 0.8F}, {mitosis, 0.4F}}),
        marker("pNDRG", 2.5F, 0.5F, 0.10F, {{pi3k, 0.6F}, {stress, 0.2F}}),
        marker("pMKK4_SEK1", 2.0F, 0.5F, 0.15F, {{stress, 0.7F}}),
        marker("pBTK", 1.6F, 0.6F, 0.20F, {{mapk, 0.25F}}),
        marker("pSRC", 2.2F, 0.5F, 0.15F, {{mapk, 0.35F}, {tgf_beta, 0.2F}}),
        marker("p4EBP1", 2.6F, 0.4F, 0.10F, {{pi3k, 0.8F}, {cycling, 0.5F}, {mitosis, 1.0F}}),
        marker("pRB", 0.9F, 0.5F, 0.10F, {{cycling, 2.6F}, {apoptosis, -1.0F}}),
        marker("pAKT308", 2.0F, 0.5F, 0.20F, {{pi3k, 0.7F}}),
        marker("pCREB", 2.7F, 0.4F, 0.08F, {{mapk, 0.5F}, {stress, 0.3F}}),
        marker("pSMAD1_5_9", 2.1F, 0.5F, 0.15F, {{tgf_beta, 0.4F}, {mitosis, 0.5F}}),
        marker("pAKT473", 2.2F, 0.5F, 0.12F, {{pi3k, 0.9F}}),
        marker("pNF_kB", 2.6F, 0.5F, 0.10F, {{stress, 0.5F}, {apoptosis, 0.3F}, {tgf_beta, 0.2F}}),
        marker("pMKK3_MKK6", 2.2F, 0.5F, 0.12F, {{stress, 0.7F}}),
        marker("pP38", 2.3F, 0.5F, 0.10F, {{stress, 0.9F}, {apoptosis, 0.5F}}),
        marker("pMAPKAPK", 2.1F, 0.5F, 0.15F, {{stress, 0.8F}}),
        marker("pAMPKa", 2.2F, 0.5F, 0.15F, {{stress, 0.3F}, {pi3k, -0.2F}, {cycling, 0.2F}}),
        marker("pBAD", 2.6F, 0.4F, 0.08F, {{mapk, 0.4F}, {pi3k, 0.4F}, {cycling, 0.2F}}),
        marker("pHistone_H2A", 1.0F, 0.6F, 0.12F, {{damage, 1.0F}, {apoptosis, 1.6F}, {mitosis, 0.8F}}),
        marker("p90RSK", 2.2F, 0.5F, 0.12F, {{mapk, 0.8F}}),
        marker("pP120_catenin", 1.6F, 0.5F, 0.10F, {{organoid, 1.2F}, {mapk, 0.2F}, {apoptosis, -0.8F}}),
        marker("Beta_catenin_active", 2.1F, 0.5F, 0.12F, {{wnt, 0.9F}, {organoid, 0.4F}}),
        marker("pGSK", 2.7F, 0.4F, 0.08F, {{pi3k, 0.5F}, {wnt, 0.2F}}),
        marker("pERK1_2", 1.9F, 0.6F, 0.20F, {{mapk, 1.0F}}),
        marker("pSMAD2_3", 2.3F, 0.5F, 0.10F, {{tgf_beta, 0.8F}, {stress, 0.2F}}),
        marker("PLK", 0.8F, 0.6F, 0.15F, {{gap2, 1.8F}, {mitosis, 2.6F}}),
        marker("CHGA", 0.1F, 0.6F, 0.10F, {{secretory, 3.0F}}),
        marker("pDNAPK", 1.5F, 0.5F, 0.15F, {{damage, 0.9F}}),
        marker("pS6", 2.4F, 0.5F, 0.15F, {{pi3k, 0.9F}, {mapk, 0.4F}, {cycling, 0.6F}}),
        marker("CD90", 0.2F, 0.7F, 0.10F, {{fibroblast, 3.2F}, {tgf_beta, 0.3F}}),
        marker("cPARP", 0.7F, 0.6F, 0.10F, {{apoptosis, 3.0F}}),
        marker("pCHK1", 1.3F, 0.5F, 0.15F, {{damage, 0.7F}, {synthesis, 0.4F}, {checkpoint, 0.9F}}),
        marker("Cyclin_B1", 0.6F, 0.5F, 0.12F, {{gap2, 2.6F}, {mitosis, 2.2F}}),
    };
}

}  // namespace

std::span<const Marker> marker_panel() {
    static const std::vector<Marker> panel = make_panel();
    return panel;
}

std::vector<std::string> marker_names(std::size_t count) {
    std::vector<std::string> names;
    for (const Marker& m : marker_panel().first(count)) names.push_back(m.name);
    return names;
}

}  // namespace popflow::simulate

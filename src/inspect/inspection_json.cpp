// SPDX-License-Identifier: MIT
#include "inspect/inspection_json.hpp"

#include <nlohmann/json.hpp>

#include "inspect/advice.hpp"
#include "inspect/inspection_summary.hpp"

namespace popflow::inspect {

namespace {

using Json = nlohmann::ordered_json;  // members in the order in which they are added
using enum screen::Part;

void add_sizes(const SizeRange& sizes, Json& json) {
    json["populations"] = sizes.n;
    json["cells"] = sizes.n_cells;
    json["smallest"] = sizes.smallest;
    json["median"] = sizes.median;
    json["largest"] = sizes.largest;
}

Json doses_json(const InspectionSummary& summary) {
    Json doses = Json::array();
    for (const DoseSummary& dose : summary.doses) {
        Json& json = doses.emplace_back(Json{
            {"treatment", dose.treatment}, {"concentration", dose.concentration}, {"control", dose.control}});
        add_sizes(dose.sizes, json);
        json["pairs"] = dose.n_pairs;
    }
    return doses;
}

Json populations_json(const screen::Screen& screen) {
    Json populations = Json::array();
    for (const screen::Population& p : screen.populations) {
        populations.push_back(Json{{"experiment", screen.experiments[p.experiment].label},
                                   {"patient", p.patient},
                                   {"culture", p.culture},
                                   {"plate", p.plate},
                                   {"replicate", p.replicate},
                                   {"treatment", p.treatment},
                                   {"concentration", p.concentration},
                                   {"control", p.control},
                                   {"cells", p.n_cells}});
    }
    return populations;
}

Json pairs_json(const screen::Screen& screen, const screen::Split* split) {
    Json pairs = Json::array();
    for (std::size_t p = 0; p < screen.pairs.size(); ++p) {
        Json& json = pairs.emplace_back(
            Json{{"control", screen.pairs[p].control}, {"treated", screen.pairs[p].treated}});
        if (split != nullptr) json["part"] = screen::part_name(split->parts[p]);
    }
    return pairs;
}

Json split_json(const InspectionSummary& summary, const screen::Split& split) {
    Json json{{"spec", split.spec}};
    for (const screen::Part part : {train, validation, test})
        json[screen::part_name(part)] = split.pairs(part).size();
    Json groups = Json::array();
    for (const auto& [group, counts] : summary.pairs) {
        Json& entry = groups.emplace_back(Json{{"culture", group.first}, {"patient", group.second}});
        for (const screen::Part part : {train, validation, test})
            entry[screen::part_name(part)] = counts[static_cast<std::size_t>(part)];
    }
    json["groups"] = std::move(groups);
    if (summary.pairs_by_column.empty()) return json;
    json["column"] = split.column;
    Json values = Json::array();
    for (const auto& [value, counts] : summary.pairs_by_column) {
        Json& entry = values.emplace_back(Json{{"value", value}});
        for (const screen::Part part : {train, validation, test})
            entry[screen::part_name(part)] = counts[static_cast<std::size_t>(part)];
    }
    json["values"] = std::move(values);
    return json;
}

Json dropped_json(const screen::Screen& screen) {
    Json dropped = Json::array();
    for (const screen::Dropped& one : screen.dropped) {
        const char* kind = one.kind == screen::Dropped::Kind::rows         ? "rows"
                           : one.kind == screen::Dropped::Kind::population ? "population"
                                                                           : "experiment";
        dropped.push_back(Json{{"kind", kind}, {"what", one.what}, {"cells", one.n_cells}, {"why", one.why}});
    }
    return dropped;
}

}  // namespace

std::string inspection_json(const screen::Screen& screen, const screen::Split* split,
                            std::span<const std::string> notes) {
    const InspectionSummary summary = summarise(screen, split);
    Json json{{"file", screen.file},
              {"fingerprint", screen.fingerprint},
              {"cells", screen.n_obs},
              {"columns_of_x", screen.n_vars},
              {"x", screen.x_text},
              {"matrix", screen.options.source.path()},
              {"markers", screen.markers},
              {"transform", screen.options.transform.text()},
              {"size_factor", screen.options.size_factor.text()},
              {"patients", summary.patients},
              {"cultures", summary.cultures},
              {"plates", summary.plates},
              {"replicates", summary.replicates},
              {"cell_types", screen.cell_types},
              {"treatments", screen.treatments},
              {"pair_by", screen.options.pair_by},
              {"control_labels", screen.options.control_labels},
              {"minimum_cells", screen.options.min_cells},
              {"paired_doses", screen.options.doses == screen::Doses::highest ? "highest" : "all"},
              {"experiments_found", screen.experiments_found},
              {"experiments_kept", screen.experiments.size()},
              {"populations_found", screen.populations_found}};
    add_sizes(summary.populations, json["populations_kept"]);
    json["doses"] = doses_json(summary);
    json["populations"] = populations_json(screen);
    json["pairs"] = pairs_json(screen, split);
    if (split != nullptr) json["split"] = split_json(summary, *split);
    json["dropped"] = dropped_json(screen);
    json["notes"] = screen.notes;
    for (const std::string& note : notes) json["notes"].push_back(note);
    for (const Advice& line : advise(screen, summary, split)) json["advice"][line.topic] = line.text;
    if (!screen.nothing_kept.empty()) json["nothing_kept"] = screen.nothing_kept;
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace popflow::inspect

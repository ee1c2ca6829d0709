// SPDX-License-Identifier: MIT
#include "import/fcs_names.hpp"

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace popflow::data_import {

namespace {

using Strings = std::vector<std::string>;

// Appends a suffix to each name that occurs several times. An empty suffix changes nothing.
template <class Suffix>
void separate(Strings& names, const Suffix& suffix) {
    const std::multiset<std::string> counts(names.begin(), names.end());
    for (std::size_t j = 0; j < names.size(); ++j) {
        const std::string text = counts.count(names[j]) > 1 ? suffix(j) : "";
        if (!text.empty()) names[j] += " (" + text + ")";
    }
}

}  // namespace

FcsNames::FcsNames(const FcsFile& fcs, MarkerNames names) : path_(fcs.path()), parameters_(fcs.parameters()) {
    for (const FcsParameter& p : parameters_)
        short_names_.push_back(names == MarkerNames::stain && !p.stain.empty() ? p.stain : p.name);
    markers_ = short_names_;
    separate(markers_, [&](std::size_t j) {
        return short_names_[j] == parameters_[j].name ? std::string() : parameters_[j].name;
    });
    separate(markers_, [](std::size_t j) { return "P" + std::to_string(j + 1); });
}

Strings FcsNames::markers_as_in(const Strings& wanted) const {
    Strings names = markers_;
    for (std::size_t j = 0; j < names.size(); ++j) {
        const std::string long_name = short_names_[j] + " (" + parameters_[j].name + ")";
        const bool is_wanted = std::ranges::find(wanted, long_name) != wanted.end();
        if (is_wanted && std::ranges::find(wanted, names[j]) == wanted.end()) names[j] = long_name;
    }
    return names;
}

Strings FcsNames::find(const std::string& name) const {
    if (std::ranges::find(markers_, name) != markers_.end()) return {name};
    Strings by_channel;
    Strings by_stain;
    for (std::size_t j = 0; j < markers_.size(); ++j) {
        const FcsParameter& p = parameters_[j];
        if (p.name == name) by_channel.push_back(markers_[j]);
        if (p.stain == name || p.stain + " (" + p.name + ")" == name) by_stain.push_back(markers_[j]);
    }
    if (!by_channel.empty() && !by_stain.empty() && by_channel != by_stain) {
        by_channel.insert(by_channel.end(), by_stain.begin(), by_stain.end());
        throw core::DataError(
            path_, name,
            "found a channel and stains of that name: give one of the markers " + core::joined(by_channel));
    }
    if (!by_channel.empty()) return by_channel;
    return by_stain.empty() ? Strings{name} : by_stain;
}

Strings FcsNames::notes(const Strings& chosen) const {
    Strings lines;
    for (const std::string& name : std::set<std::string>(short_names_.begin(), short_names_.end())) {
        Strings renamed;
        for (std::size_t j = 0; j < markers_.size(); ++j) {
            if (short_names_[j] == name && markers_[j] != name) renamed.push_back(markers_[j]);
        }
        const bool is_chosen = std::ranges::any_of(
            renamed, [&](const std::string& r) { return std::ranges::find(chosen, r) != chosen.end(); });
        if (is_chosen) lines.push_back("several channels are named " + name + ": " + core::joined(renamed));
    }
    return lines;
}

}  // namespace popflow::data_import

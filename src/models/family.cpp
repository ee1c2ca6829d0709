// SPDX-License-Identifier: MIT
#include "models/family.hpp"

#include <algorithm>

#include "models/families.hpp"

namespace popflow::models {

std::vector<std::string> family_names() {
    std::vector<std::string> names;
    for (const Family* family : families()) names.push_back(family->name());
    return names;
}

const Family* find_family(const std::string& name) {
    const auto at = std::ranges::find(families(), name, &Family::name);
    return at == families().end() ? nullptr : *at;
}

bool uses_setting(const std::string& family, const std::string& setting) {
    const Family* found = find_family(family);
    if (found == nullptr) return false;
    for (const FieldDescription& description : describe(*found->make_settings())) {
        if (description.field.name != setting) continue;
        const std::vector<std::string> methods = methods_of(description.field, *found);
        return std::ranges::find(methods, family) != methods.end();
    }
    return false;
}

SettingsSet::SettingsSet() {
    for (const Family* family : families()) settings_.try_emplace(family->settings_name(), nullptr);
    for (const Family* family : owners()) settings_[family->settings_name()] = family->make_settings();
}

SettingsSet::SettingsSet(const SettingsSet& other) {
    for (const auto& [name, settings] : other.settings_) settings_[name] = settings->clone();
}

std::vector<const Family*> SettingsSet::owners() {
    std::vector<const Family*> owners;
    for (const Family* family : families()) {
        const std::string name = family->settings_name();
        if (std::ranges::find(owners, name, &Family::settings_name) == owners.end()) owners.push_back(family);
    }
    return owners;
}

std::vector<std::string> methods_of(const Field& field, const Family& owner) {
    if (!field.methods.empty()) return field.methods;
    std::vector<std::string> names;
    for (const Family* family : families()) {
        if (family->settings_name() == owner.settings_name()) names.push_back(family->name());
    }
    return names;
}

}  // namespace popflow::models

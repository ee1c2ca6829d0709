// SPDX-License-Identifier: MIT
#include "models/settings.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/parse.hpp"
#include "core/text.hpp"

namespace popflow::models {

namespace {

class Describer : public FieldVisitor {
  public:
    void count(const Field& field, std::size_t& value, std::size_t min, std::size_t max) override {
        all.push_back({field, std::uint64_t{value}, std::uint64_t{min}, std::uint64_t{max}});
    }
    void number(const Field& field, double& value, double min, double max) override {
        all.push_back({field, value, min, max});
    }
    void choice_index(const Field& field, std::size_t& index,
                      const std::vector<std::string>& names) override {
        all.push_back({field, names.at(index), {}, {}, names});
    }
    void text(const Field& field, std::string& value, const TextRule& rule) override {
        all.push_back({field, value, {}, {}, {}, rule});
    }

    std::vector<FieldDescription> all;
};

// Sets one field, whose value is known to be allowed.
class Assigner : public FieldVisitor {
  public:
    Assigner(const std::string& name, const FieldValue& value) : name_(name), value_(value) {}

    void count(const Field& field, std::size_t& value, std::size_t, std::size_t) override {
        if (field.name == name_) value = std::get<std::uint64_t>(value_);
    }
    void number(const Field& field, double& value, double, double) override {
        if (field.name == name_) value = std::get<double>(value_);
    }
    void choice_index(const Field& field, std::size_t& index,
                      const std::vector<std::string>& names) override {
        if (field.name != name_) return;
        index =
            static_cast<std::size_t>(std::ranges::find(names, std::get<std::string>(value_)) - names.begin());
    }
    void text(const Field& field, std::string& value, const TextRule& /*rule*/) override {
        if (field.name == name_) value = std::get<std::string>(value_);
    }

  private:
    const std::string& name_;
    const FieldValue& value_;
};

FieldDescription find(const Settings& settings, const std::string& name) {
    const std::vector<FieldDescription> all = describe(settings);
    const auto at = std::ranges::find(all, name, [](const FieldDescription& d) { return d.field.name; });
    if (at == all.end()) throw core::ConfigError(name, "is no setting of this method");
    return *at;
}

}  // namespace

std::vector<FieldDescription> describe(const Settings& settings) {
    Describer describer;
    settings.clone()->visit(describer);
    return std::move(describer.all);
}

std::vector<FieldDescription> describe_stored(const Settings& settings, const Settings& defaults) {
    std::vector<FieldDescription> all = describe(settings);
    const std::vector<FieldDescription> initial = describe(defaults);
    std::vector<FieldDescription> stored;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].field.omits_default || all[i].value != initial[i].value)
            stored.push_back(std::move(all[i]));
    }
    return stored;
}

std::string text_of(const FieldValue& value) {
    if (const auto* count = std::get_if<std::uint64_t>(&value)) return std::to_string(*count);
    if (const auto* number = std::get_if<double>(&value)) return core::number_label(*number);
    return std::get<std::string>(value);
}

FieldValue parse_field(const FieldDescription& description, const std::string& text) {
    const std::string& name = description.field.name;
    if (std::holds_alternative<std::uint64_t>(description.value)) {
        return core::parse_count(name, text, std::get<std::uint64_t>(description.min),
                                 std::get<std::uint64_t>(description.max));
    }
    if (std::holds_alternative<double>(description.value)) {
        return core::parse_number(name, text, std::get<double>(description.min),
                                  std::get<double>(description.max));
    }
    if (description.rule.normalise) return description.rule.normalise(text);
    return description.choices[core::parse_choice(name, text, description.choices)];
}

void check_field(const FieldDescription& description, const FieldValue& value) {
    if (value.index() != description.value.index())
        throw core::ConfigError(description.field.name, "has a value of another type");
    parse_field(description, text_of(value));
}

void assign(Settings& settings, const std::string& name, const FieldValue& value) {
    const FieldDescription description = find(settings, name);
    check_field(description, value);
    const FieldValue parsed = description.rule.normalise ? parse_field(description, text_of(value)) : value;
    Assigner assigner(name, parsed);
    settings.visit(assigner);
}

void assign_text(Settings& settings, const std::string& name, const std::string& text) {
    const FieldValue value = parse_field(find(settings, name), text);
    Assigner assigner(name, value);
    settings.visit(assigner);
}

std::string field_text(const Settings& settings, const std::string& name) {
    return text_of(find(settings, name).value);
}

void assign_texts(Settings& settings, const std::map<std::string, std::string>& texts) {
    for (const FieldDescription& description : describe(settings)) {
        const auto at = texts.find(description.field.name);
        if (at != texts.end()) assign_text(settings, at->first, at->second);
    }
}

}  // namespace popflow::models

// SPDX-License-Identifier: MIT
#include "h5/encoded.hpp"

namespace popflow::h5 {

Group create_dict(Group& parent, const std::string& name) {
    Group group = parent.create_group(name);
    write_encoding(group, "dict", "0.1.0");
    return group;
}

void write_text(Group& group, const std::string& name, const std::string& value) {
    Dataset dataset = group.write_string(name, value);
    write_encoding(dataset, "string", "0.2.0");
}

void write_texts(Group& group, const std::string& name, const std::vector<std::string>& values) {
    Dataset dataset = group.write_strings(name, values);
    write_encoding(dataset, "string-array", "0.2.0");
}

Element code_type(std::size_t categories) {
    if (categories <= 127) return Element::int8;
    return categories <= 32767 ? Element::int16 : Element::int32;
}

void write_anndata_frame(Group& root) {
    write_encoding(root, "anndata", "0.1.0");
    for (const char* name : {"layers", "obsm", "obsp", "varm", "varp"}) create_dict(root, name);
}

}  // namespace popflow::h5

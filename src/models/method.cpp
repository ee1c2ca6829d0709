// SPDX-License-Identifier: MIT
#include "models/method.hpp"

namespace popflow::models {

const std::vector<std::string>& method_names() {
    static const std::vector<std::string> names{"fm", "cgfm", "mfm", "icnn"};
    return names;
}

const char* method_name(Method method) {
    return method_names()[static_cast<std::size_t>(method)].c_str();
}

Context context_of(Method method) {
    switch (method) {
        case Method::cgfm:
            return Context::pair_index;
        case Method::mfm:
            return Context::population;
        case Method::fm:
        case Method::icnn:
            return Context::none;
    }
    return Context::none;
}

}  // namespace popflow::models

// SPDX-License-Identifier: MIT
#include "mpi/loaded_libraries.hpp"

#include <dlfcn.h>
#include <link.h>

namespace popflow::mpi {

std::vector<std::string> loaded_libraries() {
    std::vector<std::string> paths;
    dl_iterate_phdr(
        [](dl_phdr_info* library, std::size_t, void* list) {
            // The program itself has no name here, and the library that the kernel maps no path.
            const std::string path = library->dlpi_name == nullptr ? "" : library->dlpi_name;
            if (path.starts_with('/')) static_cast<std::vector<std::string>*>(list)->push_back(path);
            return 0;
        },
        &paths);
    return paths;
}

void keep_loaded_libraries() {
    // The handles are not closed. What has been unloaded in the meantime is not loaded again.
    for (const std::string& path : loaded_libraries())
        dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

}  // namespace popflow::mpi

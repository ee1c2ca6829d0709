# SPDX-License-Identifier: MIT
# Embeds the tables of data/published in a generated source file, ${PROJECT_BINARY_DIR}/generated/builtin_tables.cpp.
set(tables "")
foreach(name IN ITEMS letters organoid_patient organoid_replica)
  set(file ${PROJECT_SOURCE_DIR}/data/published/${name}.csv)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} csv)
  string(APPEND tables "{\"${name}\", R\"csv(${csv})csv\"},\n")
endforeach()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/builtin_tables.cpp @ONLY CONTENT [[
#include "report/builtin_tables.hpp"
namespace popflow::report {
const std::vector<BuiltinTable>& builtin_tables() {
    static const std::vector<BuiltinTable> tables{
@tables@};
    return tables;
}
}  // namespace popflow::report
]])

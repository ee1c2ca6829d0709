# SPDX-License-Identifier: MIT
# Run with -P. Writes OUTPUT if the version, the commit or its clean or dirty state changed. An unchanged file is not
# touched, so it causes no rebuild.
find_package(Git QUIET)
set(COMMIT "unknown")
if(GIT_FOUND)
  execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(COMMIT "${commit}")
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
#include "core/version.hpp"
namespace popflow::core {
const char* version() { return "@VERSION@"; }
const char* commit() { return "@COMMIT@"; }
const char* compiler() { return "@COMPILER@"; }
const char* build_type() { return "@BUILD_TYPE@"; }
}  // namespace popflow::core
]])

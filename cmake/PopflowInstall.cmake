# SPDX-License-Identifier: MIT
# What `cmake --install` and the Debian package hold.
include(GNUInstallDirs)
install(TARGETS popflow_app RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY configs slurm DESTINATION ${CMAKE_INSTALL_DATADIR}/popflow USE_SOURCE_PERMISSIONS)
install(DIRECTORY python/ DESTINATION ${CMAKE_INSTALL_DATADIR}/popflow/python FILES_MATCHING PATTERN "*.py")
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES data/egf_sample.h5ad data/NOTICE data/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/popflow/data)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME popflow)
set(CPACK_PACKAGE_CONTACT "popflow developers <popflow@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # the libraries that the program is linked to, as dpkg-shlibdeps finds them
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openmpi-bin)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "fonts-liberation, python3-anndata")
include(CPack)

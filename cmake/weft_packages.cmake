# What `cpack -G DEB` makes of a build with shared libraries (`./dev package`): libweft<ABI> (runtime),
# libweft-dev (dev) and weft (tool). Each depends on what dpkg-shlibdeps (dpkg-dev) finds its files linked with.
set(CPACK_PACKAGE_NAME weft)
set(CPACK_PACKAGE_VENDOR "weft")
set(CPACK_PACKAGE_CONTACT "weft developers <weft@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime dev tool)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

get_property(components GLOBAL PROPERTY WEFT_COMPONENTS)
list(TRANSFORM components PREPEND "${PROJECT_BINARY_DIR}/src/")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${components}")

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME "libweft${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "${PROJECT_DESCRIPTION}: libraries
 Fibers, context, closures, worker processes and durable jobs for C++20.
 Programs that were built with libweft-dev need this.")
# Rules of time zones are read when a program first asks for one.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS tzdata)

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libweft-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_COMPONENT_DEV_DEPENDS runtime)
set(CPACK_DEBIAN_DEV_DESCRIPTION "${PROJECT_DESCRIPTION}: headers
 Headers, CMake package and pkg-config file to build programs with weft.")

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME weft)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION utils)
set(CPACK_COMPONENT_TOOL_DEPENDS runtime)
set(CPACK_DEBIAN_TOOL_DESCRIPTION "${PROJECT_DESCRIPTION}: the command
 Pushes, shows and runs jobs, calls workers, reads logs, serves the dashboard.")
include(CPack)

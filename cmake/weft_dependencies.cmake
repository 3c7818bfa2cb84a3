# Third-party libraries. Each is used by one component; docs/dependencies.md says why.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(Boost 1.81 EXACT REQUIRED COMPONENTS json)

if(WEFT_SQLITE_SOURCE)
  add_library(weft_sqlite_amalgamation STATIC "${WEFT_SQLITE_SOURCE}/sqlite3.c")
  target_include_directories(weft_sqlite_amalgamation SYSTEM PUBLIC
    "$<BUILD_INTERFACE:${WEFT_SQLITE_SOURCE}>")
  target_compile_definitions(weft_sqlite_amalgamation PRIVATE SQLITE_THREADSAFE=1 SQLITE_OMIT_LOAD_EXTENSION)
  set_target_properties(weft_sqlite_amalgamation PROPERTIES POSITION_INDEPENDENT_CODE ON)
  add_library(weft::sqlite ALIAS weft_sqlite_amalgamation)
else()
  find_package(SQLite3 3.40 REQUIRED)
  add_library(weft_sqlite_system INTERFACE)
  target_link_libraries(weft_sqlite_system INTERFACE SQLite::SQLite3)
  add_library(weft::sqlite ALIAS weft_sqlite_system)
endif()

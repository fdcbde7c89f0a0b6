# Third-party libraries behind one name each; scripts/setup.sh brings them to the machine.
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED)
find_package(fmt REQUIRED)
find_package(TBB REQUIRED)
find_package(Eigen3 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(OpenSSL REQUIRED)

set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json)

foreach(piece duckdb/libduckdb_static.a lightgbm/lib_lightgbm.a sqlite/sqlite3.c)
  if(NOT EXISTS ${EVERLEARN_DEPS}/${piece})
    message(FATAL_ERROR "${EVERLEARN_DEPS}/${piece} is missing: run ./dev setup")
  endif()
endforeach()

add_library(third_party_fmt INTERFACE)
target_link_libraries(third_party_fmt INTERFACE fmt::fmt)
add_library(third_party::fmt ALIAS third_party_fmt)

add_library(third_party_json INTERFACE)
target_link_libraries(third_party_json INTERFACE Boost::json)
add_library(third_party::json ALIAS third_party_json)

add_library(third_party_boost INTERFACE)
target_link_libraries(third_party_boost INTERFACE Boost::headers)
add_library(third_party::boost ALIAS third_party_boost)

add_library(third_party_tbb INTERFACE)
target_link_libraries(third_party_tbb INTERFACE TBB::tbb Threads::Threads)
add_library(third_party::tbb ALIAS third_party_tbb)

add_library(third_party_eigen INTERFACE)
target_link_libraries(third_party_eigen INTERFACE Eigen3::Eigen)
add_library(third_party::eigen ALIAS third_party_eigen)

# SQLite from its amalgamation. HAVE_…: what its configure script would have found on Linux (without them each sync is a full fsync, and a
# wait for a lock lasts whole seconds).
add_library(third_party_sqlite STATIC ${EVERLEARN_DEPS}/sqlite/sqlite3.c)
target_include_directories(third_party_sqlite SYSTEM PUBLIC ${EVERLEARN_DEPS}/sqlite)
target_compile_definitions(third_party_sqlite PRIVATE
  SQLITE_THREADSAFE=1 SQLITE_DQS=0 SQLITE_OMIT_LOAD_EXTENSION SQLITE_OMIT_DEPRECATED SQLITE_OMIT_SHARED_CACHE SQLITE_DEFAULT_MEMSTATUS=0
  SQLITE_TRUSTED_SCHEMA=0 HAVE_FDATASYNC=1 HAVE_USLEEP=1 HAVE_PREAD=1 HAVE_PWRITE=1 HAVE_GMTIME_R=1 HAVE_LOCALTIME_R=1 HAVE_STRERROR_R=1)
target_compile_options(third_party_sqlite PRIVATE -w)
target_link_libraries(third_party_sqlite PUBLIC Threads::Threads)
add_library(third_party::sqlite ALIAS third_party_sqlite)

add_library(third_party_cli11 INTERFACE)
target_link_libraries(third_party_cli11 INTERFACE CLI11::CLI11)
add_library(third_party::cli11 ALIAS third_party_cli11)

add_library(third_party_toml INTERFACE)
target_link_libraries(third_party_toml INTERFACE tomlplusplus::tomlplusplus)
add_library(third_party::toml ALIAS third_party_toml)

add_library(third_party_openssl INTERFACE)
target_link_libraries(third_party_openssl INTERFACE OpenSSL::SSL OpenSSL::Crypto)
add_library(third_party::openssl ALIAS third_party_openssl)

file(GLOB duckdb_archives ${EVERLEARN_DEPS}/duckdb/*.a)
list(FILTER duckdb_archives EXCLUDE REGEX "tpcds|tpch|jemalloc")
add_library(third_party_duckdb INTERFACE)
target_include_directories(third_party_duckdb SYSTEM INTERFACE ${EVERLEARN_DEPS}/duckdb)
target_link_libraries(third_party_duckdb INTERFACE -Wl,--start-group ${duckdb_archives} -Wl,--end-group ${CMAKE_DL_LIBS} Threads::Threads)
add_library(third_party::duckdb ALIAS third_party_duckdb)

file(GLOB_RECURSE nanoarrow ${EVERLEARN_DEPS}/lightgbm/build/libnanoarrow_static.a ${EVERLEARN_DEPS}/lightgbm/lib*/libnanoarrow_static.a)
add_library(third_party_lightgbm INTERFACE)
target_include_directories(third_party_lightgbm SYSTEM INTERFACE ${EVERLEARN_DEPS}/lightgbm/include)
target_link_libraries(third_party_lightgbm INTERFACE ${EVERLEARN_DEPS}/lightgbm/lib_lightgbm.a ${nanoarrow} OpenMP::OpenMP_CXX Threads::Threads)
add_library(third_party::lightgbm ALIAS third_party_lightgbm)

# libpq: only its header, the library is loaded at the first use (data/libpq.h).
find_path(LIBPQ_INCLUDE postgresql/libpq-fe.h REQUIRED)

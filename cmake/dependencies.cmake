# What we link, all from Debian 12. What differs in soname between Debian 12 and 13 is linked statically
# (Cap'n Proto, kj, Boost, pugixml) or used as headers only (spdlog, fmt), so that one package serves both.
# Where nothing is shipped, RELAB_PORTABLE=OFF takes the shared spdlog and fmt: a file then compiles in a
# third of the time.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost REQUIRED COMPONENTS program_options)
pkg_check_modules(relab_zmq REQUIRED IMPORTED_TARGET libzmq)
# What libzmq itself is compiled with, zmq.h needs none of. CMake 3.25 keeps "-isystem X" there in another
# order when it configures again, which would compile everything anew.
set_target_properties(PkgConfig::relab_zmq PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "" INTERFACE_COMPILE_OPTIONS "")
pkg_check_modules(relab_sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(relab_sqlite REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(relab_systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(relab_archive REQUIRED IMPORTED_TARGET libarchive)

# Not find_package(CapnProto): its targets are the shared libraries.
find_library(RELAB_CAPNP_JSON_A NAMES libcapnp-json.a REQUIRED)
find_library(RELAB_CAPNP_A NAMES libcapnp.a REQUIRED)
find_library(RELAB_KJ_A NAMES libkj.a REQUIRED)
find_library(RELAB_PUGIXML_A NAMES libpugixml.a REQUIRED)
find_program(RELAB_CAPNP capnp REQUIRED)
find_program(RELAB_CAPNPC_CXX capnpc-c++ REQUIRED)

add_library(relab_dependencies INTERFACE)
target_compile_definitions(relab_dependencies INTERFACE RELAB_VERSION="${PROJECT_VERSION}")
if(RELAB_PORTABLE)
  target_compile_definitions(relab_dependencies INTERFACE SPDLOG_FMT_EXTERNAL FMT_HEADER_ONLY)
else()
  find_package(fmt REQUIRED)
  find_package(spdlog REQUIRED)
  target_link_libraries(relab_dependencies INTERFACE spdlog::spdlog fmt::fmt)
endif()
target_link_libraries(relab_dependencies INTERFACE
  "${RELAB_CAPNP_JSON_A}" "${RELAB_CAPNP_A}" "${RELAB_KJ_A}" "${RELAB_PUGIXML_A}"
  Boost::program_options PkgConfig::relab_zmq PkgConfig::relab_sodium PkgConfig::relab_sqlite PkgConfig::relab_systemd PkgConfig::relab_archive
  Threads::Threads)

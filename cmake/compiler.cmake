# Compiler and linker settings of every target; the presets choose build type and sanitizer.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(EVERLEARN_SANITIZER "" CACHE STRING "address,undefined or thread; empty for none")
set(EVERLEARN_DEPS "$ENV{EVERLEARN_DEPS}" CACHE PATH "Third-party pieces that scripts/setup.sh fetched")
if(NOT EVERLEARN_DEPS)
  set(EVERLEARN_DEPS ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(everlearn_flags INTERFACE)
# -Wrestrict is wrong about std::string in g++ 12 at -O3 (GCC bug 105651).
# Equal results on every build of the same source: no contraction into fused multiply-add behind our back.
target_compile_options(everlearn_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror -Wno-restrict
  -march=x86-64-v2 -ffp-contract=off -fno-math-errno)
target_include_directories(everlearn_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(everlearn_flags INTERFACE EVERLEARN_VERSION="${PROJECT_VERSION}")
if(EVERLEARN_SANITIZER)
  # g++ warns of uninitialised values where the sanitizers' code hides that they are set (its manual, -fsanitize).
  target_compile_options(everlearn_flags INTERFACE -Wno-maybe-uninitialized)
  target_compile_options(everlearn_flags INTERFACE -fsanitize=${EVERLEARN_SANITIZER} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(everlearn_flags INTERFACE -fsanitize=${EVERLEARN_SANITIZER})
endif()
if(EVERLEARN_SANITIZER STREQUAL thread)
  # Asio has fences, which this sanitizer does not see; it has locks for the same ends.
  target_compile_options(everlearn_flags INTERFACE -Wno-tsan)
endif()

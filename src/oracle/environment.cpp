#include "oracle/process.hpp"

#include <cstdlib>

namespace sluice::oracle {

std::map<std::string, std::string> clean_environment(
    const std::vector<std::string>& passed, const std::map<std::string, std::string>& set) {
    std::vector<std::string> names = {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LD_LIBRARY_PATH", "TMPDIR"};
    names.insert(names.end(), passed.begin(), passed.end());

    std::map<std::string, std::string> environment = {{"OMP_NUM_THREADS", "1"}};
    for (const std::string& name : names) {
        if (const char* value = std::getenv(name.c_str())) environment[name] = value;
    }
    for (const auto& [name, value] : set)
        environment[name] = value;
    return environment;
}

}  // namespace sluice::oracle

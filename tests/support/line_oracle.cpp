// line_oracle [SECONDS [ERROR [CLASSES]]]: reads items as lines of JSON from stdin and answers each
// with y = row / 2 + ERROR after a pause; or, with classes, y = row modulo CLASSES.
#include <nlohmann/json.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

int main(int argc, char** argv) {
    const std::chrono::duration<double> pause(argc > 1 ? std::stod(argv[1]) : 0.0);
    const double error = argc > 2 ? std::stod(argv[2]) : 0.0;
    const long classes = argc > 3 ? std::stol(argv[3]) : 0;
    for (std::string line; std::getline(std::cin, line);) {
        const auto item = nlohmann::json::parse(line);
        std::this_thread::sleep_for(pause);
        nlohmann::json answer = {{"item", item.at("item")},
                                 {"y", 0.5 * item.at("row").get<double>() + error},
                                 {"converged", true}};
        if (classes > 0) answer["y"] = item.at("row").get<long>() % classes;
        std::cout << answer.dump() << std::endl;
    }
    return 0;
}

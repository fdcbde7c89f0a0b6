// The program `everlearn`.
#include "cli/application.h"

int main(int count, char** arguments) { return everlearn::RunApplication(count, arguments); }

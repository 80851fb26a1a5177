// Command dashboard-linter holds Grafana dashboards to the rules of github.com/grafana/dashboard-linter, as its own
// command with --strict does: an error or a warning that no exception covers makes it fail. Without that command's
// fixing, which brings a cloud provider's client, it takes a tenth of the time to build.
//
//	dashboard-linter <exceptions> <dashboard.json>...
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/grafana/dashboard-linter/lint"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: dashboard-linter <exceptions> <dashboard.json>...")
	}
	exceptions := lint.NewConfigurationFile()
	if err := exceptions.Load(os.Args[1]); err != nil {
		log.Fatalf("%s: %v", os.Args[1], err)
	}
	rules := lint.NewRuleSet()
	failed := false
	for _, path := range os.Args[2:] {
		severity, err := lintFile(&rules, exceptions, path)
		if err != nil {
			log.Fatalf("%s: %v", path, err)
		}
		failed = failed || severity >= lint.Warning
	}
	if failed {
		os.Exit(1)
	}
}

func lintFile(rules *lint.RuleSet, exceptions *lint.ConfigurationFile, path string) (lint.Severity, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return lint.Error, err
	}
	dashboard, err := lint.NewDashboard(text)
	if err != nil {
		return lint.Error, err
	}
	results, err := rules.Lint([]lint.Dashboard{dashboard})
	if err != nil {
		return lint.Error, err
	}
	results.Configure(exceptions)
	fmt.Printf("%s\n", path)
	results.ReportByRule()
	return results.MaximumSeverity(), nil
}

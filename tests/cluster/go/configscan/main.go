// The checks of Trivy that need no network, on folders of manifests and of
// Dockerfiles: `trivy config` without what clouds, Terraform and Helm need, which
// is most of its code.
//
// Every result is one line of JSON. What to make of it is not decided here.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aquasecurity/trivy/pkg/iac/rego"
	"github.com/aquasecurity/trivy/pkg/iac/scan"
	"github.com/aquasecurity/trivy/pkg/iac/scanners/dockerfile"
	"github.com/aquasecurity/trivy/pkg/iac/scanners/kubernetes"
)

type finding struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Passed   bool   `json:"passed"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Message  string `json:"message"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: configscan kubernetes|dockerfile FOLDER")
		os.Exit(2)
	}
	results, err := check(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := json.NewEncoder(os.Stdout)
	for _, result := range results {
		rule, place := result.Rule(), result.Range()
		if err := lines.Encode(finding{
			ID:       rule.ID,
			Title:    rule.Summary,
			Severity: string(result.Severity()),
			Passed:   result.Status() == scan.StatusPassed,
			File:     place.GetFilename(),
			Line:     place.GetStartLine(),
			Message:  result.Description(),
		}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func check(kind, folder string) (scan.Results, error) {
	policies, libraries := rego.WithEmbeddedPolicies(true), rego.WithEmbeddedLibraries(true)
	files := os.DirFS(folder)
	switch kind {
	case "kubernetes":
		return kubernetes.NewScanner(policies, libraries).ScanFS(context.Background(), files, ".")
	case "dockerfile":
		return dockerfile.NewScanner(policies, libraries).ScanFS(context.Background(), files, ".")
	}
	return nil, fmt.Errorf("%q is neither kubernetes nor dockerfile", kind)
}

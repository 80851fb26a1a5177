// Command crictl stands in for cri-tools' crictl, whose module the offline build
// cannot fetch. It has the one sub-command that `kind load` calls (inspecti) and
// three that help to debug a node (images, ps, pods). It is not the real crictl.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

const (
	endpoint = "unix:///run/containerd/containerd.sock"
	deadline = 30 * time.Second
	usage    = "usage: crictl inspecti IMAGE | images | ps | pods"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("%s", usage)
	}
	connection, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()

	images := runtime.NewImageServiceClient(connection)
	pods := runtime.NewRuntimeServiceClient(connection)
	switch arguments[0] {
	case "inspecti":
		return inspectImage(ctx, images, arguments[len(arguments)-1])
	case "images":
		return listImages(ctx, images)
	case "ps":
		return listContainers(ctx, pods)
	case "pods":
		return listPods(ctx, pods)
	}
	return fmt.Errorf("unknown sub-command %q; %s", arguments[0], usage)
}

// inspectImage prints the part of crictl's JSON that kind reads; an image that is
// absent is an error, which is how kind learns that it must load it.
func inspectImage(ctx context.Context, images runtime.ImageServiceClient, name string) error {
	response, err := images.ImageStatus(ctx, &runtime.ImageStatusRequest{Image: &runtime.ImageSpec{Image: name}})
	if err != nil {
		return err
	}
	if response.Image == nil {
		return fmt.Errorf("no such image %q present", name)
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"status": map[string]any{
		"id":          response.Image.Id,
		"repoTags":    response.Image.RepoTags,
		"repoDigests": response.Image.RepoDigests,
		"size":        strconv.FormatUint(response.Image.Size, 10),
	}})
}

func listImages(ctx context.Context, images runtime.ImageServiceClient) error {
	response, err := images.ListImages(ctx, &runtime.ListImagesRequest{})
	if err != nil {
		return err
	}
	table := newTable("IMAGE", "ID", "BYTES")
	for _, image := range response.Images {
		table.row(strings.Join(image.RepoTags, ","), short(image.Id), strconv.FormatUint(image.Size, 10))
	}
	return table.Flush()
}

func listContainers(ctx context.Context, pods runtime.RuntimeServiceClient) error {
	response, err := pods.ListContainers(ctx, &runtime.ListContainersRequest{})
	if err != nil {
		return err
	}
	table := newTable("CONTAINER", "STATE", "NAME", "POD")
	for _, container := range response.Containers {
		state := strings.TrimPrefix(container.State.String(), "CONTAINER_")
		table.row(short(container.Id), state, container.Metadata.Name, container.Labels["io.kubernetes.pod.name"])
	}
	return table.Flush()
}

func listPods(ctx context.Context, pods runtime.RuntimeServiceClient) error {
	response, err := pods.ListPodSandbox(ctx, &runtime.ListPodSandboxRequest{})
	if err != nil {
		return err
	}
	table := newTable("POD", "STATE", "NAME")
	for _, pod := range response.Items {
		state := strings.TrimPrefix(pod.State.String(), "SANDBOX_")
		table.row(short(pod.Id), state, pod.Metadata.Namespace+"/"+pod.Metadata.Name)
	}
	return table.Flush()
}

type textTable struct{ *tabwriter.Writer }

func newTable(titles ...string) textTable {
	table := textTable{tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	table.row(titles...)
	return table
}

func (table textTable) row(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")) }

func short(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}

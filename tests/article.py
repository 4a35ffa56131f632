"""The manifests of "Centralized vLLM on Kubernetes for Scalable LLM Infrastructure", DZone, as printed."""

DEPLOYMENT = r"""
apiVersion: apps/v1
kind: Deployment
metadata:
  name: llama-3
  namespace: default
  labels:
    app: llama-3
spec:
  replicas: 2
  selector:
    matchLabels:
      app: llama-3
  template:
    metadata:
      labels:
        app: llama-3
    spec:
      tolerations:
      - key: "nvidia.com/gpu"
        operator: "Exists"
        effect: "NoSchedule"
      nodeSelector:
        doks.digitalocean.com/gpu-brand: "nvidia"
      volumes:
      - name: shm
        emptyDir:
          medium: Memory
          sizeLimit: "10Gi"
      containers:
      - name: llama-3
        image: vllm/vllm-openai:latest
        command: ["/bin/sh", "-c"]
        args: [
          "vllm serve meta-llama/Llama-3.1-8B --trust-remote-code --enable-chunked-prefill\
          \ --max_num_batched_tokens 1024"
        ]
        env:
        - name: HUGGING_FACE_HUB_TOKEN
          valueFrom:
            secretKeyRef:
              name: hf-token-secret
              key: token
        ports:
        - containerPort: 8000
        resources:
          limits:
            cpu: "10"
            memory: 32G
            nvidia.com/gpu: "1"
          requests:
            cpu: "2"
            memory: 24G
            nvidia.com/gpu: "1"
        volumeMounts:
        - name: shm
          mountPath: /dev/shm
        livenessProbe:
          httpGet:
            path: /health
            port: 8000
          initialDelaySeconds: 300
          periodSeconds: 10
        readinessProbe:
          httpGet:
            path: /health
            port: 8000
          initialDelaySeconds: 300
          periodSeconds: 5
"""

SERVICE = """
apiVersion: v1
kind: Service
metadata:
  name: llama-3
  namespace: default
spec:
  ports:
  - name: http-llama-3
    port: 80
    protocol: TCP
    targetPort: 8000
  selector:
    app: llama-3
  sessionAffinity: None
  type: ClusterIP
"""
